import ArgumentParser
import Glibc

/// The program: `taskhost [worker] …` and its companions.
@main
struct TaskhostCommand {
    static func main() {
        print("x")
    }
}
