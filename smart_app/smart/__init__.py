"""SMART App Launch: from the EHR's launch button to a launch that pages can use, and its end."""
