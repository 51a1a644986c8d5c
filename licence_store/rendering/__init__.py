"""From licence data and a template to unsealed PDF and OFD bytes."""
