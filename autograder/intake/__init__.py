"""From untrusted bytes to a Submission: archives, notebooks and source files are read within bounds."""
