"""Where the app gets its data from: runs on disk, worker processes, commands."""
