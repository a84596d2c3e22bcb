"""Protocol packages: find, load and check what stands in plan_definitions/."""
