"""What the same machine does with Django's ORM alone: the measure for everything else."""
