"""The enricher: names the people, places and organisations of an article, its keywords and its quotes."""
