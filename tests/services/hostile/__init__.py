"""Code that wants out: what jobs try, in each language, and the world that they try it on."""
