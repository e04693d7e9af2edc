"""Groups articles into stories, links the stories of one saga and publishes every change."""
