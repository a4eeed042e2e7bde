// What an error of a database asks for: wait and try again, or tell the caller. Each system sorts its own codes into these.
public import Ports

public enum SQLErrorKind {
    /// Passes by itself, or when an operator acts: the statement is sent again.
    case passing(String)
    /// Somebody else was at the same rows, and went first: the statement is sent again at once.
    case contended
    /// Passes, but not over this connection: another server may have to answer, or the tables be looked at anew.
    case reconnect(String)
    /// The caller is refused; trying again may help.
    case refused(StoreFailure)
    /// One of the records will never be taken.
    case unfit(StoreFailure)
}
