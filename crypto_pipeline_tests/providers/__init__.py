"""The sources and the one client, over real HTTP and against recorded replies."""
