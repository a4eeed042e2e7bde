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
        "what Python spells otherwise than PCRE2 means what it means in Python",
        arguments: [
            ("(?P<kind>w)1", true), ("(?P<a>w)(?P=a)", false), ("w1@test\\Z", true), ("w1\\Z", false), ("\\AW", false),
            ("(?i)W1@TEST", true), ("(?iu:W)1", true), ("(?=w1)w", true), ("(?!x)w1", true), ("w1(?<=1)@", true),
            ("\\x77\\u0031\\U00000040", true), ("[\\x77]1", true), ("[[:alpha:]1", false), ("[[:w]1", true),
            ("w1{,2}@", true), ("w{,x", false), ("[{,1}w]1", true), ("(?# [ )w1", true), ("(w)(?(1)1|2)", true),
            ("w1\\v", false), ("(?>w+)1", true), ("w++1", true),
        ])
    func python(pattern: String, matches: Bool) {
        let answer = NodePattern.check("w1@test", against: pattern, matcher: "pcre")
        #expect(answer == (matches ? .matches : .differs))
    }

    @Test(
        "an end of line is before the last line feed, the end of the text is not",
        arguments: [("a$", true), ("a\\Z", false), ("a.", false), ("a\\n\\Z", true)])
    func lineFeed(pattern: String, matches: Bool) {
        let answer = NodePattern.check("a\n", against: pattern, matcher: "pcre")
        #expect(answer == (matches ? .matches : .differs))
    }

    @Test("names and classes are Unicode", arguments: ["\\w+1", "é1", "[à-ü]1", "(?i)É1", ".1"])
    func unicode(pattern: String) {
        #expect(NodePattern.check("é1", against: pattern, matcher: "pcre") == .matches)
    }

    @Test("a pattern that needs more than it may is given up, and the limit is named")
    func limits() {
        func refusal(_ pattern: String, _ name: String, _ change: (inout PatternMatch.Limits) -> Void) -> String? {
            var limits = PatternMatch.Limits()
            change(&limits)
            do {
                _ = try PatternMatch(pattern, limits: limits).matchesStart(of: name)
                return nil
            } catch {
                return error.reason
            }
        }
        let name = "worker-1@host"
        let pattern = "(\\w+-?)+@(h|o|s|t)+$"
        #expect(refusal(pattern, name) { _ in } == nil)
        #expect(refusal(pattern, name) { $0.steps = 3 } == "takes more than 3 steps")
        #expect(refusal(pattern, name) { $0.depth = 2 } == "goes deeper than 2 places to come back to")
        #expect(refusal(pattern, name) { $0.length = 10 } == "has more than 10 bytes")
        #expect(refusal("((w))", name) { $0.nesting = 1 }?.hasPrefix("is no expression: ") == true)
        let long = String(repeating: "ab", count: 2_000)
        #expect(refusal("(a|b)*$", long) { $0.heap = 8 } == "takes more than 8 KiB")
    }

    @Test("the sentence says which pattern it was")
    func sentence() {
        #expect(
            NodePattern.check("w1@test", against: "w(?R)'", matcher: "pcre")
                == .unusable("the pattern \"w(?R)'\" has '(?R', which Python's re does not know either"))
        #expect(
            NodePattern.check("w1@test", against: "(", matcher: "pcre")
                == .unusable("the pattern '(' is no expression: missing closing parenthesis"))
    }

    @Test(
        "an expression that is wrong, or is not understood, is refused and says why",
        arguments: [
            "(", ")", "[a", "*a", "a**", "\\1", "a{3,1}", "\\", "(?R)", "(?|a)", "(?P>n)",
            "(?a)a", "(*UTF)a", "(*LIMIT_MATCH=9)a", "\\Qa\\E", "\\h", "\\K", "\\C", "\\u12", "\\x{77}", "\\ud800",
            String(repeating: "a", count: 513),
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
