"""The design system's stylesheet, cut down to what the app's pages use."""
