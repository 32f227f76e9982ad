"""The book on paper and on reading devices: PDF and EPUB, made from the built site."""
