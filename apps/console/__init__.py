"""What people and programs see and press: API, cross-room admin pages, commands. Faces only."""
