// For whom results in a database are written.

/// Versions of Celery that are to read what is stored.
public enum ResultReaders: String, Sendable, CaseIterable {
    /// Results as the serializer writes them.
    case celery57 = "5.7"
    /// Results as pickles, all that Celery reads up to 5.6.3; 5.7 reads both.
    case celery56 = "5.6"
}
