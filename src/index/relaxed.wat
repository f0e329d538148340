;; The scan's kernel for browsers with relaxed SIMD. `relaxed.rs` explains it, and why it is a separate module.
(module
  ;; The memory of the module that holds the table.
  (import "watchnext" "memory" (memory 1))

  ;; The products of a query with the rows of four parts of a table. For every 16 columns, `query` has their upper 7
  ;; bits and then their lower ones. `stride` is the number of columns, a multiple of 16 and not 0. Each part has `rows`
  ;; rows of 8 bits. For each row, four products of 32 bits are written to `found`.
  (func (export "dot")
    (param $query i32) (param $stride i32)
    (param $first i32) (param $second i32) (param $third i32) (param $fourth i32)
    (param $found i32) (param $rows i32)
    (local $place i32) (local $end i32)
    (local $upper v128) (local $lower v128) (local $codes v128)
    (local $upper1 v128) (local $upper2 v128) (local $upper3 v128) (local $upper4 v128)
    (local $lower1 v128) (local $lower2 v128) (local $lower3 v128) (local $lower4 v128)

    (local.set $end (i32.add (local.get $query) (i32.shl (local.get $stride) (i32.const 1))))
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $rows)))
        (local.set $place (local.get $query))
        (local.set $upper1 (v128.const i32x4 0 0 0 0))
        (local.set $upper2 (v128.const i32x4 0 0 0 0))
        (local.set $upper3 (v128.const i32x4 0 0 0 0))
        (local.set $upper4 (v128.const i32x4 0 0 0 0))
        (local.set $lower1 (v128.const i32x4 0 0 0 0))
        (local.set $lower2 (v128.const i32x4 0 0 0 0))
        (local.set $lower3 (v128.const i32x4 0 0 0 0))
        (local.set $lower4 (v128.const i32x4 0 0 0 0))
        (loop $columns
          (local.set $upper (v128.load (local.get $place)))
          (local.set $lower (v128.load offset=16 (local.get $place)))

          (local.set $codes (v128.load (local.get $first)))
          (local.set $upper1
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $upper) (local.get $upper1)))
          (local.set $lower1
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $lower) (local.get $lower1)))
          (local.set $codes (v128.load (local.get $second)))
          (local.set $upper2
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $upper) (local.get $upper2)))
          (local.set $lower2
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $lower) (local.get $lower2)))
          (local.set $codes (v128.load (local.get $third)))
          (local.set $upper3
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $upper) (local.get $upper3)))
          (local.set $lower3
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $lower) (local.get $lower3)))
          (local.set $codes (v128.load (local.get $fourth)))
          (local.set $upper4
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $upper) (local.get $upper4)))
          (local.set $lower4
            (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get $codes) (local.get $lower) (local.get $lower4)))

          ;; After a row's last column, each part is at its next row.
          (local.set $first (i32.add (local.get $first) (i32.const 16)))
          (local.set $second (i32.add (local.get $second) (i32.const 16)))
          (local.set $third (i32.add (local.get $third) (i32.const 16)))
          (local.set $fourth (i32.add (local.get $fourth) (i32.const 16)))
          (local.set $place (i32.add (local.get $place) (i32.const 32)))
          (br_if $columns (i32.ne (local.get $place) (local.get $end))))

        (local.set $upper1 (i32x4.add (i32x4.shl (local.get $upper1) (i32.const 7)) (local.get $lower1)))
        (local.set $upper2 (i32x4.add (i32x4.shl (local.get $upper2) (i32.const 7)) (local.get $lower2)))
        (local.set $upper3 (i32x4.add (i32x4.shl (local.get $upper3) (i32.const 7)) (local.get $lower3)))
        (local.set $upper4 (i32x4.add (i32x4.shl (local.get $upper4) (i32.const 7)) (local.get $lower4)))
        ;; The sums of four registers' lanes in one register: first pairs of lanes, then pairs of those sums.
        (local.set $upper (i32x4.add
          (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $upper1) (local.get $upper2))
          (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $upper1) (local.get $upper2))))
        (local.set $lower (i32x4.add
          (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $upper3) (local.get $upper4))
          (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $upper3) (local.get $upper4))))
        (v128.store (local.get $found) (i32x4.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $upper) (local.get $lower))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $upper) (local.get $lower))))
        (local.set $found (i32.add (local.get $found) (i32.const 16)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $row)))))
