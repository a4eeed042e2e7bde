// A version of a bundle that has not served yet: it is loaded, and tried again, or refused for good.
internal import Ports
internal import TaskModel

extension BundleFile {
    func load() {
        do throws(PrivateCopy.Failure) {
            let copy = try PrivateCopy(of: path, trustsAnybody: trustsAnybody)
            tried = copy.identity
            if let older = candidate {
                candidate = nil
                draining.append(older)
                older.kill("a newer version came")
            }
            candidate = try start(copy)
            host.statusChanged(self, BundleReport(path: path, status: .loading, zygotePID: candidate?.pid))
        } catch {
            switch error {
            case .changing: host.lookAgain()
            case .gone: vanish()
            case .refused(let sentence): refuse(sentence)
            case .system(let sentence): tryLater(sentence)
            }
        }
    }

    private func start(_ copy: PrivateCopy) throws(PrivateCopy.Failure) -> Zygote {
        do throws(RunnerFailure) {
            return try host.startZygote(copy, owner: self, spares: nil)
        } catch {
            throw .system(error.description)
        }
    }

    func candidateFailed(_ zygote: Zygote, _ end: ZygoteEnd) {
        switch end {
        case .refused(let sentence):
            // The very version that serves has shown that it can: it is no worse for this.
            if zygote.copy.identity == served?.identity { return tryLater(sentence) }
            quarantine[zygote.copy.identity] = sentence
            refuse(sentence)
        case .failed(let sentence), .died(let sentence): tryLater(sentence)
        case .retired: break
        }
    }

    /// Not the file's fault, as far as anybody can tell.
    private func tryLater(_ sentence: String) {
        let seconds = retries.next()
        retry?.cancel()
        retry = loop.schedule(afterSeconds: seconds) { [unowned self] in
            retry = nil
            tried = nil
            consider()
        }
        refuse("\(sentence) It is tried again in \(Int(seconds)) s.")
    }

    func refuse(_ sentence: String) {
        guard refusal != sentence else { return }
        refusal = sentence
        // What has served goes on, in its old version if need be.
        if served == nil { host.offers(self, nil) }
        host.statusChanged(self, BundleReport(path: path, status: .refused(sentence)))
    }

    func endRetry() {
        retry?.cancel()
        retry = nil
        refusal = nil
        rollback = nil
    }
}
