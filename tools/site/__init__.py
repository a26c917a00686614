"""The documentation as a site (`make docs`), and the languages of the receivers' samples."""
