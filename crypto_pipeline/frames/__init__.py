"""Typed rows and the promises a dataset makes about them; nothing here fetches or stores."""
