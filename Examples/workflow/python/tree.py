"""A regression tree of fixed depth: what forests and boosting are made of. Un árbol de regresión."""

DEPTH = 3
INNER = 2 ** DEPTH - 1
# For each inner node its axis (0: x, 1: y) and threshold, level by level; then the leaves' values. / Primero los nodos, al final
# las hojas.
SIZE = 2 * INNER + INNER + 1


def fit(samples, targets):
    """Splits where the squares of the deviations become smallest. Divide donde la desviación queda menor."""
    tree = [0.0] * SIZE
    fill(tree, 0, list(zip(samples, targets)))
    return tree


def value(tree, x, y):
    node = 0
    while node < INNER:
        node = 2 * node + (1 if (x, y)[int(tree[2 * node])] < tree[2 * node + 1] else 2)
    return tree[INNER + node]


def fill(tree, node, part):
    if node >= INNER:
        tree[INNER + node] = sum(target for _, target in part) / len(part) if part else 0.0
        return
    axis, threshold = tree[2 * node:2 * node + 2] = best(part)
    fill(tree, 2 * node + 1, [one for one in part if one[0][axis] < threshold])
    fill(tree, 2 * node + 2, [one for one in part if one[0][axis] >= threshold])


def best(part):
    found, most = (0, 0.0), float("-inf")
    total = sum(target for _, target in part)
    for axis in (0, 1):
        ordered = sorted((sample[axis], target) for sample, target in part)
        left = 0.0
        for count in range(1, len(ordered)):
            left += ordered[count - 1][1]
            gain = left ** 2 / count + (total - left) ** 2 / (len(ordered) - count)
            if gain > most:
                found, most = (axis, (ordered[count - 1][0] + ordered[count][0]) / 2), gain
    return found
