// Stubs for TypeScript: the tasks' types by their names, and a call that any Celery client can carry.
import TaskModel
import TaskhostJSON

extension ClientStubs {
    static func typeScript(_ tasks: [TaskManifest], of bundles: String) -> String {
        let queues = tasks.compactMap { task in
            task.options.queue.map { "  \(JSON.string(task.name)): \(JSON.string($0))," }
        }
        return """
            // \(madeBy("typescript", bundles))

            export interface TaskTypes {
            \(tasks.map(typeScript).joined(separator: "\n"))
            }

            export type TaskName = keyof TaskTypes;

            /** Where tasks want to be sent; all others: wherever the client sends what has no queue of its own. */
            export const queues: Partial<Record<TaskName, string>> = {
            \(queues.joined(separator: "\n"))
            };

            /** What a Celery client has to do: send the task, and wait for its result. */
            export interface Sender {
              send(task: string, args: unknown[], kwargs: Record<string, unknown>, queue?: string): Promise<unknown>;
            }

            /** call(sender, "tasks.add", 4, 6) */
            export async function call<Name extends TaskName>(
              sender: Sender, name: Name, ...args: TaskTypes[Name]["args"]
            ): Promise<TaskTypes[Name]["result"]> {
              return (await sender.send(name, args, {}, queues[name])) as TaskTypes[Name]["result"];
            }

            /** callByName(sender, "tasks.add", { x: 4, y: 6 }) */
            export async function callByName<Name extends TaskName>(
              sender: Sender, name: Name, kwargs: TaskTypes[Name]["kwargs"]
            ): Promise<TaskTypes[Name]["result"]> {
              return (await sender.send(name, [], kwargs as Record<string, unknown>, queues[name])) as TaskTypes[Name]["result"];
            }

            """
    }

    private static func typeScript(_ task: TaskManifest) -> String {
        let plain = task.parameters.filter { !$0.takesRest }
        let lastRequired = plain.lastIndex { $0.isRequired } ?? -1
        var positional = plain.enumerated().map { index, parameter in
            // Only what nothing required follows may be left out.
            "\(identifier(parameter.name))\(index > lastRequired ? "?" : ""): \(StubType(parameter.type).typeScript)"
        }
        var named = plain.map {
            "\(JSON.string($0.name))\($0.isRequired ? "" : "?"): \(StubType($0.type).typeScript)"
        }
        for parameter in task.parameters where parameter.takesRest {
            if parameter.name.hasPrefix("**") {
                named.append("[name: string]: unknown")
            } else {
                positional.append("...\(identifier(String(parameter.name.dropFirst()))): unknown[]")
            }
        }
        let doc = task.options.doc.map { "  /** \(oneLine($0)) */\n" } ?? ""
        let result = task.result.map { StubType($0).typeScript } ?? "unknown"
        return doc + "  \(JSON.string(task.name)): { args: [\(positional.joined(separator: ", "))]; "
            + "kwargs: { \(named.joined(separator: "; ")) }; result: \(result) };"
    }
}
