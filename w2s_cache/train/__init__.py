"""Training from the cache: reads feature sets, knows no image and no encoder."""
