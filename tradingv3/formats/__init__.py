"""How dates are written for people."""
