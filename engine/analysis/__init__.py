"""What models and songs are examined for: baselines, units, similar songs, copied text."""
