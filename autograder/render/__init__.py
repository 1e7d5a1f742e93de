"""What people get to read: the table of grades, Gradescope's results, a page for every student, one for the class."""
