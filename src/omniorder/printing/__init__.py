"""What is printed for people: slips of paper and of HTML, in the way in which their language writes."""
