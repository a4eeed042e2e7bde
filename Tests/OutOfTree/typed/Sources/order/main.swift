// Calls the bundle's tasks by their types: order BROKER. Every line but the last is an answer.
import PhotoTasks
import TaskhostClient
import TaskhostSDK

let client = try TaskhostClient(broker: CommandLine.arguments[1])
let patience = Duration.seconds(30)

let small = try await client.send(Resize(Size(width: 1600, height: 1200), width: 3)).get(timeout: patience)
print("\(small.width)x\(small.height)")

let standard = try await client.send(Resize(Size(width: 1600, height: 1200))).get(timeout: patience)
print("\(standard.width)x\(standard.height)")

do {
    _ = try await client.send(Resize(Size(width: 0, height: 1), title: "a line")).get(timeout: patience)
} catch let failure as TaskFailed {
    print("\(failure.type): \(failure.message)")
}

try await client.send(Check(small)).get(timeout: patience)
print("checked")

let sides = group(
    try Signature(Resize(Size(width: 2, height: 2), width: 1)), try Signature(Resize(small, width: 6)))
print(try await client.send(sides).get(as: [Size].self, timeout: patience).map(\.height))

let album = try await client.send(Album([Size(width: 5, height: 5), Size(width: 10, height: 30)]))
_ = try await album.get(timeout: patience)
for child in try await album.untyped.children.flatMap(\.results) {
    print("album: \(try await TaskResult<Size>(child).get(timeout: patience).height)")
}

await client.close()
print("done")
