"""From logits to lyrics and piano rolls."""
