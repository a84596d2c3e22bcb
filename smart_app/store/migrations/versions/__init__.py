"""One module a step, forwards only; a step that was released is never changed."""
