"""What the demo and the tests run on: a small website, a set of pictures and a server that misbehaves on request."""
