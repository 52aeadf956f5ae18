"""How news reach those who subscribed, and callbacks those who asked for them."""
