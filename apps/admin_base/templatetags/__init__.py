"""What templates may say of what is stored."""
