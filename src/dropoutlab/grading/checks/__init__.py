"""What is looked at in each exercise: one module for each kind of answer."""
