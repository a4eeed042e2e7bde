"""Why an app cannot be used: one sentence, what to do, and Python's own words where there are any."""


class Problem(Exception):
    def __init__(self, sentence, fix=None, trace=None):
        Exception.__init__(self, sentence)
        self.sentence = sentence
        self.fix = fix
        self.trace = trace

    def as_dict(self):
        return {"sentence": self.sentence, "fix": self.fix, "traceback": self.trace}
