#include "thalweg/diagnose/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <slepceps.h>
#include <Eigen/Eigenvalues>

#include "thalweg/core/petsc.hpp"
#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

using petsc::check;

/// SLEPc from construction to destruction, inside PETSc's session.
class Slepc {
 public:
  Slepc() { check(SlepcInitializeNoArguments()); }
  ~Slepc() { SlepcFinalize(); }
  Slepc(const Slepc&) = delete;
  Slepc& operator=(const Slepc&) = delete;
};

using VecHandle = petsc::Handle<Vec, VecDestroy>;
using MatHandle = petsc::Handle<Mat, MatDestroy>;
using EpsHandle = petsc::Handle<EPS, EPSDestroy>;

/// What the callbacks see.
struct Problem {
  const SymmetricMap& a;
  const MetricMap* metric;
  EigenSettings settings;
  std::int64_t products = 0;
  double scale = 0;  // the largest |lambda| so far
  petsc::Bridge bridge = {};
};

Vector copy_of(Vec x) {
  const PetscScalar* raw = nullptr;
  PetscInt n = 0;
  check(VecGetLocalSize(x, &n));
  check(VecGetArrayRead(x, &raw));
  const Vector copy = Eigen::Map<const Vector>(raw, n);
  check(VecRestoreArrayRead(x, &raw));
  return copy;
}

void set(Vec x, In values) {
  PetscScalar* raw = nullptr;
  check(VecGetArrayWrite(x, &raw));
  Eigen::Map<Vector>(raw, values.size()) = values;
  check(VecRestoreArrayWrite(x, &raw));
}

VecHandle vec(In values) {
  VecHandle x;
  check(VecCreateSeq(PETSC_COMM_SELF, static_cast<PetscInt>(values.size()), x.out()));
  set(x, values);
  return x;
}

PetscErrorCode multiply(Mat shell, Vec x, Vec y) {
  Problem* p = nullptr;
  if (const auto code = MatShellGetContext(shell, &p)) return code;
  return p->bridge.guard([&] {
    const Matrix in = copy_of(x);
    Matrix out(in.rows(), 1);
    p->a.apply(in, out);
    ++p->products;
    set(y, out.col(0));
  });
}

PetscErrorCode multiply_metric(Mat shell, Vec x, Vec y) {
  Problem* p = nullptr;
  if (const auto code = MatShellGetContext(shell, &p)) return code;
  return p->bridge.guard([&] {
    const Vector in = copy_of(x);
    Vector out(in.size());
    p->metric->apply(in, out);
    set(y, out);
  });
}

PetscErrorCode solve_metric(PC shell, Vec x, Vec y) {
  Problem* p = nullptr;
  if (const auto code = PCShellGetContext(shell, &p)) return code;
  return p->bridge.guard([&] {
    Vector values = copy_of(x);
    p->metric->solve(values);
    set(y, values);
  });
}

PetscErrorCode relative_to_scale(EPS, PetscScalar value, PetscScalar, PetscReal residual, PetscReal* error,
                                 void* context) {
  Problem& p = *static_cast<Problem*>(context);
  p.scale = std::max(p.scale, std::abs(value));
  *error = residual / std::max(p.scale, 1e-300);  // of a zero matrix the residual is zero
  return 0;
}

MatHandle shell(Problem& p, PetscErrorCode (*product)(Mat, Vec, Vec)) {
  MatHandle m;
  const auto n = static_cast<PetscInt>(p.a.size);
  check(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, &p, m.out()));
  check(MatShellSetOperation(m, MATOP_MULT, reinterpret_cast<void (*)(void)>(product)));
  return m;
}

/// The inner solves with M are M's own.
void use_metric_solve(EPS eps, Problem& p) {
  ST transformation = nullptr;
  KSP ksp = nullptr;
  PC pc = nullptr;
  check(EPSGetST(eps, &transformation));
  check(STGetKSP(transformation, &ksp));
  check(KSPSetType(ksp, KSPPREONLY));
  check(KSPGetPC(ksp, &pc));
  check(PCSetType(pc, PCSHELL));
  check(PCShellSetContext(pc, &p));
  check(PCShellSetApply(pc, solve_metric));
}

/// Basis vectors: room for the wanted pairs twice and more, less where few steps will do. The bottom of a training
/// Hessian is a dense cluster about zero, in which less than six times the pairs does not converge.
int basis_size(const EigenSettings& s, Index size, bool brief) {
  const int spare = brief ? std::max(s.count, 6) : std::max(s.count, 15);
  const int wish = s.end == SpectrumEnd::top ? s.count + spare : std::max(6 * s.count, 30);
  return static_cast<int>(std::min<Index>(wish, size));
}

Vector random_vector(Index n, std::uint64_t seed, std::uint64_t step) {
  Stream draw(seed, Purpose::probe, step);
  return Vector::NullaryExpr(n, [&draw](Index) { return draw.normal(); }).normalized();
}

struct Start {
  Vector vector;
  bool brief = false;  // few steps will do: it is nearly right, or a coarse answer serves
};

struct Pairs {
  std::vector<double> values;
  std::vector<Vector> vectors;
};

/// Up to `count` pairs orthogonal to those in `known`.
Pairs krylov_schur(Problem& p, int count, double tolerance, const Start& start, const Pairs& known) {
  const MatHandle a = shell(p, multiply);
  const MatHandle m = p.metric ? shell(p, multiply_metric) : MatHandle{};
  EpsHandle eps;
  check(EPSCreate(PETSC_COMM_SELF, eps.out()));
  check(EPSSetOperators(eps, a, m));
  check(EPSSetProblemType(eps, p.metric ? EPS_GHEP : EPS_HEP));
  check(EPSSetType(eps, EPSKRYLOVSCHUR));
  check(EPSSetWhichEigenpairs(eps, p.settings.end == SpectrumEnd::top ? EPS_LARGEST_REAL : EPS_SMALLEST_REAL));
  EigenSettings asked = p.settings;
  asked.count = count;
  const int basis = basis_size(asked, p.a.size, start.brief);
  check(EPSSetDimensions(eps, count, basis, PETSC_DEFAULT));
  check(EPSSetTolerances(eps, tolerance, 500));
  check(EPSSetConvergenceTestFunction(eps, relative_to_scale, &p, nullptr));
  if (p.metric) use_metric_solve(eps, p);
  VecHandle first = vec(start.vector);
  Vec raw_first = first;
  check(EPSSetInitialSpace(eps, 1, &raw_first));
  std::vector<VecHandle> space;
  std::vector<Vec> raw;
  for (const Vector& v : known.vectors) raw.push_back(space.emplace_back(vec(v)));
  if (!raw.empty()) check(EPSSetDeflationSpace(eps, static_cast<PetscInt>(raw.size()), raw.data()));
  p.bridge.check(EPSSolve(eps));

  Pairs found;
  PetscInt converged = 0;
  check(EPSGetConverged(eps, &converged));
  VecHandle v = vec(start.vector);
  for (PetscInt i = 0; i < std::min<PetscInt>(converged, count); ++i) {
    PetscScalar value = 0;
    p.bridge.check(EPSGetEigenpair(eps, i, &value, nullptr, v, nullptr));
    found.values.push_back(value);
    found.vectors.push_back(copy_of(v));
  }
  return found;
}

/// Whether `x` lies further out than `y`.
bool beyond(SpectrumEnd end, double x, double y) { return end == SpectrumEnd::top ? x > y : x < y; }

void sort_outermost_first(Pairs& pairs, SpectrumEnd end) {
  std::vector<std::size_t> order(pairs.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return beyond(end, pairs.values[i], pairs.values[j]); });
  Pairs sorted;
  for (const std::size_t i : order) {
    sorted.values.push_back(pairs.values[i]);
    sorted.vectors.push_back(pairs.vectors[i]);
  }
  pairs = std::move(sorted);
}

/// The outermost pair orthogonal to `pairs`, no sharper than it takes to see that it does not lie further out than
/// they do; then there is none.
Pairs missed_pair(Problem& p, const Pairs& pairs, const Vector& start) {
  const SpectrumEnd end = p.settings.end;
  const double last = pairs.values.back();
  Start next{start, true};
  for (double tolerance = 1e-2;; tolerance /= 10) {
    const bool sharp = tolerance <= p.settings.tolerance;
    if (sharp) tolerance = p.settings.tolerance;
    const Pairs guess = krylov_schur(p, 1, tolerance, next, pairs);
    // A residual of so much of the scale puts the outermost Ritz value so near to its eigenvalue.
    const double slack = sharp ? 0 : (end == SpectrumEnd::top ? 1 : -1) * tolerance * p.scale;
    if (guess.values.empty() || !beyond(end, guess.values[0] + slack, last)) return {};
    if (sharp) return guess;
    next.vector = guess.vectors[0];
  }
}

/// Adds what a single start vector has missed, pair by pair, until nothing outside `pairs` lies further out.
void add_missed(Problem& p, Pairs& pairs) {
  const auto wanted = static_cast<std::size_t>(p.settings.count);
  for (std::uint64_t round = 1; static_cast<Index>(pairs.values.size()) < p.a.size; ++round) {
    const Pairs found = missed_pair(p, pairs, random_vector(p.a.size, p.settings.seed, round));
    if (found.values.empty()) return;
    pairs.values.push_back(found.values[0]);
    pairs.vectors.push_back(found.vectors[0]);
    sort_outermost_first(pairs, p.settings.end);
    if (pairs.values.size() > wanted) {
      pairs.values.pop_back();
      pairs.vectors.pop_back();
    }
  }
}

/// All pairs of a matrix that fits into the basis anyway.
Pairs dense(Problem& p) {
  const Index n = p.a.size;
  Matrix a(n, n), m = Matrix::Identity(n, n);
  p.a.apply(Matrix::Identity(n, n), a);
  p.products += n;
  if (p.metric)
    for (Index j = 0; j < n; ++j) p.metric->apply(Vector::Unit(n, j), m.col(j));
  const Eigen::GeneralizedSelfAdjointEigenSolver<Matrix> all((a + a.transpose()) / 2, m);
  Pairs pairs;
  for (Index k = 0; k < n; ++k) {
    pairs.values.push_back(all.eigenvalues()[k]);
    pairs.vectors.emplace_back(all.eigenvectors().col(k));
  }
  sort_outermost_first(pairs, p.settings.end);
  pairs.values.resize(static_cast<std::size_t>(p.settings.count));
  pairs.vectors.resize(pairs.values.size());
  return pairs;
}

Start first_vector(const Problem& p, const Matrix& start) {
  const Vector random = random_vector(p.a.size, p.settings.seed, 0);
  if (start.cols() == 0) return {random};
  const Vector sum = start.rowwise().sum();
  return {sum + 1e-3 * sum.norm() * random, true};
}

Eigenpairs with_residuals(Problem& p, const Pairs& pairs) {
  const auto k = static_cast<Index>(pairs.values.size());
  Eigenpairs result{Vector(k), Matrix(p.a.size, k), Vector(k), 0, k == p.settings.count};
  for (Index i = 0; i < k; ++i) {
    result.values[i] = pairs.values[static_cast<std::size_t>(i)];
    result.vectors.col(i) = pairs.vectors[static_cast<std::size_t>(i)];
  }
  Matrix images(p.a.size, k);
  if (k > 0) p.a.apply(result.vectors, images);
  p.products += k;
  for (Index i = 0; i < k; ++i) {
    Vector weighted = result.vectors.col(i);
    if (p.metric) p.metric->apply(result.vectors.col(i), weighted);
    result.residuals[i] = (images.col(i) - result.values[i] * weighted).norm();
  }
  result.products = p.products;
  return result;
}

}  // namespace

Eigenpairs eigenpairs(const SymmetricMap& a, const EigenSettings& settings, const MetricMap* metric,
                      const Matrix& start) {
  require(settings.count >= 1 && settings.count <= a.size,
          "spectrum.count: " + std::to_string(settings.count) + " pairs of a matrix of size " + std::to_string(a.size));
  Problem p{a, metric, settings, 0, settings.scale};
  if (a.size <= basis_size(settings, a.size, false)) return with_residuals(p, dense(p));
  const Slepc library;
  Pairs pairs = krylov_schur(p, settings.count, settings.tolerance, first_vector(p, start), {});
  if (static_cast<int>(pairs.values.size()) == settings.count) add_missed(p, pairs);
  return with_residuals(p, pairs);
}

}  // namespace thalweg
