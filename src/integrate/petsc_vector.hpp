#pragma once

#include <type_traits>

#include <petscvec.h>

#include "thalweg/core/core.hpp"
#include "thalweg/core/petsc.hpp"

namespace thalweg::petsc {

using OwnVec = Handle<Vec, VecDestroy>;

/// A PETSc vector's entries as an Eigen map, for as long as it lives.
template <class Entry, PetscErrorCode (*get)(Vec, Entry**), PetscErrorCode (*restore)(Vec, Entry**)>
class Access {
 public:
  explicit Access(Vec vec) : vec_(vec) {
    PetscInt n = 0;
    check(VecGetLocalSize(vec, &n));
    check(get(vec, &data_));
    size_ = n;
  }
  ~Access() { restore(vec_, &data_); }
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  auto operator*() const {
    return Eigen::Map<std::conditional_t<std::is_const_v<Entry>, const Vector, Vector>>(data_, size_);
  }

 private:
  Vec vec_;
  Entry* data_ = nullptr;
  Index size_ = 0;
};
using Read = Access<const double, VecGetArrayRead, VecRestoreArrayRead>;
using Write = Access<double, VecGetArray, VecRestoreArray>;

/// The `size` entries from `first` of y as a vector of PETSc's, in the same memory.
inline OwnVec view(Vector& y, Index first, Index size) {
  OwnVec vec;
  check(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, static_cast<PetscInt>(size), y.data() + first, vec.out()));
  return vec;
}

}  // namespace thalweg::petsc
