// Which nodes a command is for.
import Testing

@testable import Control

@Suite("Node patterns")
struct NodePatternTests {
    @Test(
        "shell patterns match whole names, as Python's fnmatch",
        arguments: [
            ("*", true), ("w1@*", true), ("w[13]@test", true), ("w[!13]@test", false), ("w?@test", true),
            ("w1", false), ("W1@test", false), ("w1@tes", false), ("*@t*", true),
        ])
    func glob(pattern: String, matches: Bool) {
        let answer = NodePattern.check("w1@test", against: pattern, matcher: "glob")
        #expect(answer == (matches ? .matches : .differs))
    }

    @Test(
        "regular expressions match from the beginning, as Python's re.match",
        arguments: [
            ("w1", true), ("w\\d+@", true), ("\\d", false), ("^w1@test$", true), ("w1$", false), (".*test", true),
            ("(a|w)1", true), ("(?:x|w1)@(te|ta)st", true), ("w{1}1", true), ("w{2}1", false), ("w1@[a-z]{2,4}$", true),
            ("w1@[^a-z]", false), ("w1@t.+?t", true), ("", true), ("w1\\b", true), ("w\\b", false), ("w1@t{,3}e", true),
            ("[]w]1", true), ("(w1@test|)x", false), ("w1@test\\.", false), ("(w|1|@|t|e|s)*$", true),
        ])
    func regex(pattern: String, matches: Bool) {
        let answer = NodePattern.check("w1@test", against: pattern, matcher: "pcre")
        #expect(answer == (matches ? .matches : .differs))
    }

    @Test(
        "an expression that is wrong, or is not understood, is refused and says why",
        arguments: [
            "(", ")", "[a", "*a", "a**", "\\1", "(?=x)", "a{3,1}", "a{1,65}", "\\", String(repeating: "a", count: 513),
        ])
    func unusable(pattern: String) {
        guard case .unusable = NodePattern.check("w1@test", against: pattern, matcher: "pcre") else {
            Issue.record("'\(pattern)' was taken")
            return
        }
    }

    @Test("an expression made to explode is refused or answered at once")
    func hostile() {
        let name = String(repeating: "a", count: 255)
        let clock = ContinuousClock()
        let time = clock.measure {
            for pattern in [
                "(a*)*b", "((a+)+)+b", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)b", "((((a{64}){64}){64}){64})b",
                "(((((((a*)*)*)*)*)*)*)*b", String(repeating: "(", count: 200), String(repeating: "a?", count: 256),
            ] {
                let answer = NodePattern.check(name, against: pattern, matcher: "pcre")
                #expect(answer != .matches || pattern.hasPrefix("a?"))
            }
        }
        #expect(time < .seconds(2))
    }

    @Test("a matcher nobody knows is refused by name")
    func matcher() {
        #expect(
            NodePattern.check("w1@test", against: "*", matcher: "soundex")
                == .unusable("no matcher 'soundex': use glob or pcre"))
    }
}
