// A failure as one text: what happened, and what mends it.

/// "DETAIL. FIX", or the detail alone. A detail that ends with the words of a server may bring the full stop with it.
public func failureText(_ detail: String, fix: String?) -> String {
    guard let fix else { return detail }
    return detail + (detail.hasSuffix(".") ? " " : ". ") + fix
}
