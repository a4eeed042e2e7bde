extension Double {
    /// For sentences, without a fraction where there is none: "30", "2.5".
    public var plain: String { self == rounded() && magnitude < 1e15 ? String(Int(self)) : String(self) }
}
