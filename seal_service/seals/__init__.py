"""The seal: its model, states, rules of use, making and register."""
