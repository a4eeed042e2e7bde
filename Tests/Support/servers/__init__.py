"""The servers that with-servers starts: one file each."""
