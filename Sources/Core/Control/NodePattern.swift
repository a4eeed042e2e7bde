// Which nodes a command is for: by name, by shell pattern or by regular expression.
import Glibc

enum NodePattern {
    enum Answer: Equatable {
        case matches, differs
        case unusable(String)
    }

    static func check(_ name: String, against pattern: String, matcher: String) -> Answer {
        switch matcher {
        case "glob":
            // As Python's fnmatch: a backslash is a character like others.
            return fnmatch(pattern, name, FNM_NOESCAPE) == 0 ? .matches : .differs
        case "pcre":
            do throws(PatternMatch.Refusal) {
                return try PatternMatch(pattern).matchesStart(of: name) ? .matches : .differs
            } catch {
                return .unusable("the pattern \(PythonText.repr(String(pattern.prefix(100)))) \(error.reason)")
            }
        default:
            return .unusable("no matcher '\(matcher)': use glob or pcre")
        }
    }
}
