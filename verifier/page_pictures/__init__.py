"""Pictures of pages, for people to look at; no verdict is ever made from them."""
