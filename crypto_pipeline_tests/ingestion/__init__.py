"""The line through the house, on a real database against a venue over real HTTP."""
