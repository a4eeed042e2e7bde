// The model of a zygote: who runs alone has one of its own, all others share one; when it dies, all in it are lost.
import Ports
import TaskModel

@testable import Engine

extension SimulatedWorld {
    func zygoteDies(under killer: StartRequest) {
        let shared = running.values.filter { !$0.alone }.sorted { $0.run.number < $1.run.number }
        let lost = killer.alone ? [killer] : shared
        for request in lost { running[request.run] = nil }
        for request in lost {
            let outcome: Outcome =
                lost.count == 1
                ? .died(Death(cause: .zygoteLost(bundle: "b.so", "its zygote died")))
                : .suspect(bundle: "b.so", "its zygote died")
            post(.finished(request.run, RunReport(outcome: outcome)))
        }
    }
}
