"""The book's machinery: pairing, execution, directives and offline assets. It never trains anything."""
