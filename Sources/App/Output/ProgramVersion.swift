/// What this program says of itself: on the command line, to brokers, monitors and collectors.
package enum ProgramVersion {
    package static let text = "0.1.0"
}
