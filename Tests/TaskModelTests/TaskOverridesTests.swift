// What the operator says of tasks by name and by pattern.
import TaskModel
import Testing

@Suite("What is said of tasks by patterns of their names")
struct TaskOverridesTests {
    private func options(_ fill: (inout TaskOptions) -> Void) -> TaskOptions {
        var made = TaskOptions()
        fill(&made)
        return made
    }

    @Test("a name wins over a pattern, a longer pattern over a shorter one, and each fills what the others leave open")
    func precedence() throws {
        let said: TaskOverrides = [
            "*": options {
                $0.keep = 1
                $0.queue = "all"
                $0.rateLimit = "1/s"
            },
            "images.*": options {
                $0.keep = 100
                $0.hardLimit = 9
            },
            "images.scale": options { $0.hardLimit = 5 },
        ]
        let scale = try #require(said["images.scale"])
        #expect(scale.keep == 100 && scale.hardLimit == 5 && scale.rateLimit == "1/s" && scale.queue == "all")
        #expect(said["images.blur"]?.hardLimit == 9)
        #expect(said["mail.send"]?.keep == 1)
    }

    @Test("nothing is said of a name that no pattern fits")
    func silence() {
        let said: TaskOverrides = ["images.*": options { $0.keep = 2 }]
        #expect(said["image"] == nil && said["images"] == nil)
    }
}
