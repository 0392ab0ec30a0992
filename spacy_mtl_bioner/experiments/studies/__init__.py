"""The studies, a file each: which trainings one wants, and what they say."""
