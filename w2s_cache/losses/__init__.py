"""One loss per file: paper, equation, shapes, and the numbers its test holds it to."""
