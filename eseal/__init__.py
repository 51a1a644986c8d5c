"""The front door: settings, objects, application, command line."""
