"""The only way to other systems. What is asked and what an answer means are plain functions elsewhere."""
