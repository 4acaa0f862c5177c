;;; llm-lsp.el --- Ghost text from llm-lsp -*- lexical-binding: t -*-

;; In Emacs 28 and later, next to eglot or lsp-mode: it runs its own server and replaces no other.
;; This file: llm-lsp.el in Emacs's configuration folder, and in init.el:
;;
;;   (load (locate-user-emacs-file "llm-lsp"))
;;   (add-hook 'prog-mode-hook #'llm-lsp-mode)
;;   ;; (setq llm-lsp-settings '(:completion (:trigger "manual" :multiline "never")))

;;; Code:

(require 'jsonrpc)
(require 'seq)
(require 'subr-x)
(require 'thingatpt)
(require 'url-util)

(defgroup llm-lsp nil "Ghost text from llm-lsp." :group 'completion)

(defcustom llm-lsp-command '("llm-lsp" "server")
  "The command that runs the server."
  :type '(repeat string))

(defcustom llm-lsp-settings nil
  "The server's settings as a property list; every key is in docs/settings.md.
Settings here override config.toml."
  :type 'plist)

(defcustom llm-lsp-edits t
  "Whether next edits are marked."
  :type 'boolean)

(defface llm-lsp-edit-old '((t :inherit error :strike-through t)) "The text that a next edit replaces.")
(defface llm-lsp-edit-new '((t :inherit success :underline t)) "The text that it puts there.")

(defcustom llm-lsp-wait-seconds 0.3
  "For how many seconds the rest of an accepted line is waited for."
  :type 'number)

(defface llm-lsp-ghost '((t :inherit shadow)) "The text that is not there yet.")

(defconst llm-lsp--invoked 1 "InlineCompletionTriggerKind of LSP 3.18.")
(defconst llm-lsp--automatic 2)

(defvar llm-lsp--connection nil "The one server of this Emacs.")
(defvar llm-lsp--status nil "What the server says of itself: a property list.")
(defvar-local llm-lsp--known-tick nil "`buffer-chars-modified-tick' of the text that the server has.")
(defvar-local llm-lsp--asked-tick nil "The same of the text that was last asked about.")
(defvar-local llm-lsp--edit nil
  "The marked next edit, as a property list.
It has its :overlay, the text of its line :before and :after it, the
:old and :new text, and its :command.")
(defvar-local llm-lsp--edit-hint nil "An overlay that tells of an edit off the screen.")
(defvar llm-lsp--edit-timer nil "Runs until the user has paused after a change.")
(defvar-local llm-lsp--pending nil "The place of the request that is not answered yet.")
(defvar-local llm-lsp--accepted nil "The place behind the last accepted text.")
(defvar-local llm-lsp--wanted-until nil
  "Until when the rest of the line behind the last accepted text is inserted.")
(defvar-local llm-lsp--shown nil
  "The shown text, as a property list.
It has its :overlay, :start, :text, the :rest of the line, how much of it
is :kept, its :command, and the :items that it is the :index of.")

;;;; The server

(defun llm-lsp--connect ()
  "Return the running server; start one if there is none."
  (unless (and llm-lsp--connection (jsonrpc-running-p llm-lsp--connection))
    (setq llm-lsp--connection
          (apply #'make-instance 'jsonrpc-process-connection
                 :name "llm-lsp"
                 :process (lambda ()
                            (make-process :name "llm-lsp" :command llm-lsp-command :connection-type 'pipe
                                          :coding 'utf-8-emacs-unix :noquery t
                                          :stderr (get-buffer-create " *llm-lsp stderr*")))
                 :notification-dispatcher #'llm-lsp--on-notification
                 ;; The events buffer would keep every text that is sent.
                 (if (version< emacs-version "30")
                     '(:events-buffer-scrollback-size 0)
                   '(:events-buffer-config (:size 0)))))
    (dolist (buffer (buffer-list))
      (with-current-buffer buffer (setq llm-lsp--known-tick nil)))
    (llm-lsp--initialize llm-lsp--connection))
  llm-lsp--connection)

(defun llm-lsp--initialize (connection)
  "Initialize CONNECTION."
  (jsonrpc-request
   connection :initialize
   (list :processId (emacs-pid)
         :clientInfo (list :name "Emacs" :version emacs-version)
         :rootUri (llm-lsp--uri default-directory)
         :workspaceFolders (vector (list :uri (llm-lsp--uri default-directory) :name "emacs"))
         :initializationOptions llm-lsp-settings
         ;; UTF-32: a column is a character, as in Emacs.
         :capabilities '(:general (:positionEncodings ["utf-32"])
                         :textDocument (:inlineCompletion (:dynamicRegistration :json-false)))))
  (jsonrpc-notify connection :initialized (make-hash-table)))

(defun llm-lsp--on-notification (_connection method params)
  "Handle the server's notification METHOD with PARAMS."
  (pcase method
    ('window/showMessage (message "llm-lsp: %s" (plist-get params :message)))
    ('llm-lsp/status (setq llm-lsp--status params) (force-mode-line-update t))))

(defun llm-lsp--uri (path)
  "Return PATH as a URI."
  (concat "file://" (url-hexify-string (expand-file-name path) url-path-allowed-chars)))

(defun llm-lsp--document (&rest more)
  "Return the parameters that identify this buffer's document, with MORE."
  (append (list :uri (llm-lsp--uri (or buffer-file-name (buffer-name)))) more))

(defun llm-lsp--sync (connection)
  "Send this buffer's text to CONNECTION if it has changed."
  (let ((tick (buffer-chars-modified-tick))
        (text (save-restriction (widen) (buffer-substring-no-properties (point-min) (point-max)))))
    (cond
     ((null llm-lsp--known-tick)
      (jsonrpc-notify connection :textDocument/didOpen
                      (list :textDocument
                            (llm-lsp--document :languageId (llm-lsp--language) :version tick :text text))))
     ((/= llm-lsp--known-tick tick)
      (jsonrpc-notify connection :textDocument/didChange
                      (list :textDocument (llm-lsp--document :version tick)
                            :contentChanges (vector (list :text text))))))
    (setq llm-lsp--known-tick tick)))

(defun llm-lsp--language ()
  "Return the LSP language identifier of this buffer, usually the mode's name."
  (let ((name (replace-regexp-in-string "\\(-ts\\)?-mode\\'" "" (symbol-name major-mode))))
    (or (cdr (assoc name '(("js" . "javascript") ("c++" . "cpp") ("sh" . "shellscript") ("text" . "plaintext"))))
        name)))

(defun llm-lsp--close ()
  "Close this buffer's document on the server."
  (when (and llm-lsp--known-tick llm-lsp--connection (jsonrpc-running-p llm-lsp--connection))
    (jsonrpc-notify llm-lsp--connection :textDocument/didClose (list :textDocument (llm-lsp--document))))
  (setq llm-lsp--known-tick nil))

;;;; The ghost text

(defun llm-lsp--rest ()
  "Return the line after the cursor."
  (buffer-substring-no-properties (point) (line-end-position)))

(defun llm-lsp--remaining ()
  "Return the rest of the shown text, or nil if the user typed something else."
  (when-let* ((shown llm-lsp--shown)
              (start (plist-get shown :start))
              ((<= start (point)))
              (text (plist-get shown :text))
              (typed (buffer-substring-no-properties start (point)))
              ((string-prefix-p typed text))
              ((< (length typed) (length text)))
              ((equal (llm-lsp--rest) (plist-get shown :rest))))
    (substring text (length typed))))

(defun llm-lsp--hide ()
  "Remove the ghost text."
  (when llm-lsp--shown
    (delete-overlay (plist-get llm-lsp--shown :overlay))
    (setq llm-lsp--shown nil)))

(defun llm-lsp--draw (left)
  "Show LEFT at the cursor.
Where it only inserts, the line moves aside, else it covers the rest."
  (let* ((rest (plist-get llm-lsp--shown :rest))
         (new (concat left (substring rest (- (length rest) (plist-get llm-lsp--shown :kept)))))
         (inserts (and (string-suffix-p rest new) (not (string-search "\n" new))))
         (ghost (if inserts (string-remove-suffix rest new) new))
         (overlay (plist-get llm-lsp--shown :overlay)))
    (move-overlay overlay (point) (if inserts (point) (line-end-position)))
    (overlay-put overlay 'invisible (not inserts))
    (setq ghost (propertize ghost 'face 'llm-lsp-ghost))
    (unless (string-empty-p ghost)
      (put-text-property 0 1 'cursor t ghost))
    (overlay-put overlay 'after-string ghost)))

(defun llm-lsp--show (items index)
  "Show the answer at INDEX of ITEMS at the cursor."
  (llm-lsp--hide)
  (let* ((item (aref items index))
         (range (plist-get item :range))
         (column (lambda (key) (+ (line-beginning-position) (plist-get (plist-get range key) :character))))
         (stop (if range (max (point) (funcall column :end)) (point))))
    (setq llm-lsp--shown
          (list :overlay (make-overlay (point) (point))
                :start (if range (funcall column :start) (point))
                :text (replace-regexp-in-string "\r\n?" "\n" (plist-get item :insertText))
                :rest (llm-lsp--rest)
                :kept (- (line-end-position) stop)
                :command (plist-get item :command)
                :items items :index index))
    (let ((left (llm-lsp--remaining)))
      (if (not left)
          (llm-lsp--hide)
        (llm-lsp--edit-hide)
        (llm-lsp--draw left)))))

(defun llm-lsp--place ()
  "Identify the text and the cursor, to detect outdated answers."
  (list (current-buffer) (buffer-chars-modified-tick) (point)))

(defun llm-lsp--ask (kind)
  "Request a completion; KIND is manual or automatic."
  (let ((connection (llm-lsp--connect))
        (place (llm-lsp--place)))
    (llm-lsp--sync connection)
    (setq llm-lsp--pending place)
    ;; No cancellation needed: a new request supersedes the old one on the server.
    (jsonrpc-async-request
     connection :textDocument/inlineCompletion
     (list :textDocument (llm-lsp--document)
           :position (list :line (1- (line-number-at-pos nil t))
                           :character (- (point) (line-beginning-position)))
           :context (list :triggerKind kind))
     :success-fn (lambda (result)
                   (with-current-buffer (window-buffer) ; not the connection's own, in which this runs
                     (let ((items (if (vectorp result) result (plist-get result :items))))
                       (when (equal place (llm-lsp--place))
                         (setq llm-lsp--pending nil)
                         (when (> (length items) 0)
                           (llm-lsp--show items 0)
                           (llm-lsp--take-rest))))))
     :error-fn #'ignore
     :timeout-fn #'ignore
     :timeout 60)))

(defun llm-lsp--update ()
  "Update the ghost text after a command."
  (let ((left (llm-lsp--remaining))
        (tick (buffer-chars-modified-tick)))
    (cond
     (left (llm-lsp--draw left))
     (t (llm-lsp--hide)
        (unless (or (eql tick llm-lsp--asked-tick) executing-kbd-macro buffer-read-only)
          (with-demoted-errors "llm-lsp: %S" (llm-lsp--ask llm-lsp--automatic)))))
    (when llm-lsp-edits
      ;; The text before its first change, which a next edit follows from.
      (unless (or llm-lsp--known-tick (not llm-lsp--connection) (not (jsonrpc-running-p llm-lsp--connection)))
        (llm-lsp--sync llm-lsp--connection))
      (llm-lsp--edit-draw)
      (unless (eql tick llm-lsp--asked-tick)
        (llm-lsp--edit-schedule)))
    (setq llm-lsp--asked-tick tick)))

;;;; Next edits

(defconst llm-lsp--edit-wait-s 0.1 "From a change to the question, as Copilot's clients wait.")

(defun llm-lsp--edit-schedule ()
  "Ask for a next edit once the user pauses."
  (when llm-lsp--edit-timer
    (cancel-timer llm-lsp--edit-timer))
  (setq llm-lsp--edit-timer
        (run-with-timer llm-lsp--edit-wait-s nil #'llm-lsp--edit-ask (current-buffer))))

(defun llm-lsp--edit-ask (buffer)
  "Ask for the edit that follows from the last change of BUFFER."
  (when (and (eq buffer (window-buffer)) (not executing-kbd-macro))
    (with-current-buffer buffer
      (when (and llm-lsp--known-tick (jsonrpc-running-p llm-lsp--connection))
        (llm-lsp--sync llm-lsp--connection)
        (let ((tick llm-lsp--known-tick))
          (jsonrpc-async-request
           llm-lsp--connection :textDocument/copilotInlineEdit
           (list :textDocument (llm-lsp--document :version tick)
                 :position (list :line (1- (line-number-at-pos nil t))
                                 :character (- (point) (line-beginning-position))))
           :success-fn (lambda (result)
                         (when (buffer-live-p buffer)
                           (with-current-buffer buffer
                             (when (eql tick (buffer-chars-modified-tick))
                               (llm-lsp--edit-show (plist-get result :edits))))))
           :error-fn #'ignore
           :timeout-fn #'ignore
           :timeout 60))))))

(defun llm-lsp--edit-show (edits)
  "Mark the first of EDITS; one of several lines is left to code actions."
  (llm-lsp--edit-hide)
  (unless (or (seq-empty-p edits) (llm-lsp--remaining))
    (let* ((edit (seq-elt edits 0))
           (start (plist-get (plist-get edit :range) :start))
           (end (plist-get (plist-get edit :range) :end))
           (new (plist-get edit :text)))
      (when (and (eql (plist-get start :line) (plist-get end :line)) (not (string-search "\n" new)))
        (save-excursion
          (save-restriction
            (widen)
            (goto-char (point-min))
            (forward-line (plist-get start :line))
            (let ((from (+ (point) (plist-get start :character)))
                  (to (+ (point) (plist-get end :character))))
              (when (<= to (line-end-position))
                (setq llm-lsp--edit
                      (list :overlay (make-overlay from to nil nil t)
                            :before (buffer-substring-no-properties (point) from)
                            :after (buffer-substring-no-properties to (line-end-position))
                            :old (buffer-substring-no-properties from to)
                            :new new
                            :command (plist-get edit :command)))))))
        (llm-lsp--edit-draw)))))

(defun llm-lsp--edit-leads-to (text)
  "Return whether TEXT is a start of the new text and a piece of the old one."
  (let ((new (plist-get llm-lsp--edit :new))
        (old (plist-get llm-lsp--edit :old)))
    (seq-some (lambda (length)
                (and (string-prefix-p (substring text 0 length) new)
                     (string-search (substring text length) old)))
              (number-sequence (length text) 0 -1))))

(defun llm-lsp--edit-found ()
  "Return where the marked edit is now, as a cons of positions.
Return nil if there is none, or if something else was written there."
  (when-let* ((edit llm-lsp--edit)
              (place (overlay-start (plist-get edit :overlay))))
    (save-excursion
      (goto-char place)
      (let* ((line (buffer-substring-no-properties (line-beginning-position) (line-end-position)))
             (before (plist-get edit :before))
             (after (plist-get edit :after))
             (end (- (length line) (length after))))
        (when (and (<= (length before) end) (string-prefix-p before line) (string-suffix-p after line))
          (let ((text (substring line (length before) end)))
            (unless (or (equal text (plist-get edit :new)) (not (llm-lsp--edit-leads-to text)))
              (cons (+ (line-beginning-position) (length before)) (+ (line-beginning-position) end)))))))))

(defun llm-lsp--edit-hide ()
  "Remove the marks of the next edit."
  (when llm-lsp--edit
    (delete-overlay (plist-get llm-lsp--edit :overlay))
    (setq llm-lsp--edit nil))
  (when llm-lsp--edit-hint
    (delete-overlay llm-lsp--edit-hint)
    (setq llm-lsp--edit-hint nil)))

(defun llm-lsp--edit-draw ()
  "Mark the old text, with the new one beside it or a hint at the place."
  (when llm-lsp--edit
    (let ((place (llm-lsp--edit-found))
          (overlay (plist-get llm-lsp--edit :overlay)))
      (if (or (not place) (llm-lsp--remaining))
          (llm-lsp--edit-hide)
        (move-overlay overlay (car place) (cdr place))
        (overlay-put overlay 'face 'llm-lsp-edit-old)
        (overlay-put overlay 'after-string (propertize (plist-get llm-lsp--edit :new) 'face 'llm-lsp-edit-new))
        (llm-lsp--edit-draw-hint (car place))))))

(defun llm-lsp--edit-draw-hint (place)
  "Tell in the line of the cursor of an edit at PLACE that is off the screen."
  (when llm-lsp--edit-hint
    (delete-overlay llm-lsp--edit-hint))
  (unless (pos-visible-in-window-p place)
    (setq llm-lsp--edit-hint (make-overlay (line-end-position) (line-end-position)))
    (overlay-put llm-lsp--edit-hint 'after-string
                 (propertize (format " %s next edit: line %d" (if (< place (point)) "\u2191" "\u2193")
                                     (line-number-at-pos place t))
                             'face 'shadow))))

(defun llm-lsp-accept-edit ()
  "Go to the next edit, or apply it if the cursor is in its line."
  (interactive)
  (when-let ((place (llm-lsp--edit-found)))
    (if (/= (line-number-at-pos) (line-number-at-pos (car place)))
        (progn
          (push-mark nil t)
          (goto-char (car place)))
      (let ((new (plist-get llm-lsp--edit :new))
            (command (plist-get llm-lsp--edit :command)))
        (llm-lsp--edit-hide)
        (undo-boundary)
        (goto-char (car place))
        (delete-region (car place) (cdr place))
        (insert new)
        (llm-lsp--execute (plist-get command :command) (plist-get command :arguments) #'ignore)))))

(defun llm-lsp-dismiss-edit ()
  "Take the next edit away for good."
  (interactive)
  (when llm-lsp--edit
    (let ((arguments (plist-get (plist-get llm-lsp--edit :command) :arguments)))
      (llm-lsp--edit-hide)
      (llm-lsp--execute "llm-lsp.dismissed" arguments #'ignore))))

;;;; The commands

(defconst llm-lsp--line "\\`\n*[^\n]*" "A line of a text.")

(defun llm-lsp--coming-p ()
  "Whether more of the accepted line may be coming."
  (and llm-lsp--accepted llm-lsp--pending
       (equal llm-lsp--accepted (llm-lsp--place))
       (equal llm-lsp--pending llm-lsp--accepted)))

(defun llm-lsp--accept (regexp)
  "Accept the part of the remaining text that REGEXP matches.
If that ends what is shown of a line, accept its rest as it comes."
  (let ((is-taken (llm-lsp--take regexp)))
    (setq llm-lsp--wanted-until
          (and (not llm-lsp--shown)
               (if is-taken (equal regexp llm-lsp--line) (llm-lsp--coming-p))
               (+ (float-time) llm-lsp-wait-seconds)))))

(defun llm-lsp--take-rest ()
  "Insert the rest of an accepted line, if it has just come and is still wanted."
  (let ((left (llm-lsp--remaining))
        (until llm-lsp--wanted-until))
    (setq llm-lsp--wanted-until nil)
    (when (and until left
               (<= (float-time) until)
               (equal llm-lsp--accepted (llm-lsp--place))
               (not (string-prefix-p "\n" left)))
      (llm-lsp--take llm-lsp--line)
      (unless llm-lsp--shown ; more of it may follow
        (setq llm-lsp--wanted-until until)
        (llm-lsp--update)))))

(defun llm-lsp--take (regexp)
  "Insert the part of the remaining text that REGEXP matches.
Return whether there was one."
  (when-let* ((left (llm-lsp--remaining))
              (taken (if (string-match regexp left) (match-string 0 left) left))
              (shown llm-lsp--shown))
    (undo-boundary)
    (if (< (length taken) (length left))
        (insert taken)
      (delete-region (point) (- (line-end-position) (plist-get shown :kept)))
      (insert taken)
      (llm-lsp--report)
      (llm-lsp--hide))
    (setq llm-lsp--accepted (llm-lsp--place))
    t))

(defun llm-lsp--report ()
  "Report to the server that all of the shown text was accepted."
  (when-let ((command (plist-get llm-lsp--shown :command)))
    (llm-lsp--execute (plist-get command :command) (or (plist-get command :arguments) []) #'ignore)))

(defun llm-lsp--execute (name arguments on-result)
  "Run the server's command NAME with ARGUMENTS, then ON-RESULT with its result."
  (jsonrpc-async-request (llm-lsp--connect) :workspace/executeCommand
                         (list :command name :arguments arguments)
                         :success-fn on-result
                         :error-fn (lambda (wrong) (message "llm-lsp: %s" (plist-get wrong :message)))))

(defun llm-lsp-accept ()
  "Accept all of the text."
  (interactive)
  (llm-lsp--accept "\\`\\(?:.\\|\n\\)*"))

(defun llm-lsp-accept-line ()
  "Accept a line of the text."
  (interactive)
  (llm-lsp--accept llm-lsp--line))

(defun llm-lsp-accept-word ()
  "Accept a word of the text."
  (interactive)
  (llm-lsp--accept "\\`[[:space:]\n]*\\(?:[[:word:]_]+\\|[^[:word:]_[:space:]\n]+\\)"))

(defun llm-lsp-dismiss ()
  "Dismiss the text."
  (interactive)
  (llm-lsp--hide))

(defun llm-lsp-request ()
  "Request a completion manually."
  (interactive)
  (llm-lsp--ask llm-lsp--invoked))

(defun llm-lsp-next ()
  "Show the next answer; request further ones if there is none."
  (interactive)
  (let ((items (plist-get llm-lsp--shown :items))
        (index (1+ (or (plist-get llm-lsp--shown :index) 0))))
    (if (< index (length items))
        (llm-lsp--show items index)
      (llm-lsp-request))))

(defun llm-lsp-previous ()
  "Show the previous answer, if there is one."
  (interactive)
  (when-let ((index (plist-get llm-lsp--shown :index)))
    (when (> index 0)
      (llm-lsp--show (plist-get llm-lsp--shown :items) (1- index)))))

(defun llm-lsp-completion-at-point ()
  "Offer the first line of the shown text to company, corfu and the like."
  (when-let* ((left (llm-lsp--remaining))
              (line (car (split-string left "\n")))
              ((not (string-empty-p line))))
    (let ((start (or (car (bounds-of-thing-at-point 'symbol)) (point))))
      (list start (point) (list (concat (buffer-substring-no-properties start (point)) line))
            :exclusive 'no
            :annotation-function (lambda (_) " llm-lsp")
            :exit-function (lambda (_ status)
                             (when (and (eq status 'finished) (equal line left))
                               (llm-lsp--report)))))))

(defun llm-lsp-explain ()
  "Explain why there was a suggestion, or none."
  (interactive)
  (llm-lsp--execute "llm-lsp.explain" []
                    (lambda (text)
                      (with-help-window "*llm-lsp*" (princ text)))))

(defun llm-lsp-toggle ()
  "Switch completion off or on."
  (interactive)
  (llm-lsp--execute "llm-lsp.toggle" []
                    (lambda (on) (message "llm-lsp is %s" (if (eq on t) "on" "off")))))

(defun llm-lsp-snooze (minutes)
  "Pause completion for MINUTES."
  (interactive "nMinutes: ")
  (unless (and (numberp minutes) (>= minutes 0))
    (user-error "Snooze needs a number of minutes"))
  (llm-lsp--execute "llm-lsp.snooze" (vector minutes) #'ignore))

(defun llm-lsp--provider-names ()
  "Return the names that `llm-lsp-select-provider' accepts."
  (append (jsonrpc-request (llm-lsp--connect) :workspace/executeCommand
                           (list :command "llm-lsp.providers" :arguments []) :timeout 2)
          nil))

(defun llm-lsp-restart ()
  "Restart the server."
  (interactive)
  (when llm-lsp--connection
    (ignore-errors (jsonrpc-shutdown llm-lsp--connection))
    (setq llm-lsp--connection nil llm-lsp--status nil))
  (llm-lsp--connect))

(defconst llm-lsp--commands
  '(("explain" . llm-lsp-explain) ("provider" . llm-lsp-select-provider) ("restart" . llm-lsp-restart)
    ("snooze" . llm-lsp-snooze) ("toggle" . llm-lsp-toggle))
  "What `llm-lsp' offers.")

;;;###autoload
(defun llm-lsp ()
  "Choose one of the commands."
  (interactive)
  (call-interactively (cdr (assoc (completing-read "llm-lsp: " llm-lsp--commands nil t) llm-lsp--commands))))

(defun llm-lsp-select-provider (name)
  "Use the provider NAME of your settings from now on."
  (interactive (list (completing-read "Provider: " (llm-lsp--provider-names) nil t)))
  (llm-lsp--execute "llm-lsp.selectProvider" (vector name) #'ignore))

(defun llm-lsp--when-shown (command &optional or-coming edit-command)
  "Return a binding of COMMAND that is active while a text is shown.
With OR-COMING also while the rest of an accepted line may come.
EDIT-COMMAND is bound while an edit is marked instead."
  (list 'menu-item "" command
        :filter (lambda (it)
                  (cond ((or (llm-lsp--remaining) (and or-coming (llm-lsp--coming-p))) it)
                        ((and edit-command (llm-lsp--edit-found)) edit-command)))))

(defvar llm-lsp-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") (llm-lsp--when-shown #'llm-lsp-accept t #'llm-lsp-accept-edit))
    (define-key map [tab] (llm-lsp--when-shown #'llm-lsp-accept t #'llm-lsp-accept-edit))
    (define-key map (kbd "M-f") (llm-lsp--when-shown #'llm-lsp-accept-word))
    (define-key map (kbd "C-e") (llm-lsp--when-shown #'llm-lsp-accept-line t))
    (define-key map (kbd "C-g") (llm-lsp--when-shown #'llm-lsp-dismiss nil #'llm-lsp-dismiss-edit))
    (define-key map (kbd "M-p") (llm-lsp--when-shown #'llm-lsp-previous))
    (define-key map (kbd "M-n") #'llm-lsp-next)
    map)
  "The keys: all but the last only while a text is shown.")

(defun llm-lsp--lighter ()
  "Return the text for the mode line."
  (pcase (plist-get llm-lsp--status :kind)
    ((or "Error" "Warning") " llm!")
    ("Inactive" " llm-off")
    (_ " llm")))

;;;###autoload
(define-minor-mode llm-lsp-mode
  "Show code that a model suggests, as ghost text."
  :lighter (:eval (llm-lsp--lighter))
  :keymap llm-lsp-mode-map
  (cond
   (llm-lsp-mode
    (setq llm-lsp--asked-tick (buffer-chars-modified-tick)) ; opening a file asks nothing
    (add-hook 'post-command-hook #'llm-lsp--update nil t)
    (add-hook 'kill-buffer-hook #'llm-lsp--close nil t))
   (t
    (remove-hook 'post-command-hook #'llm-lsp--update t)
    (remove-hook 'kill-buffer-hook #'llm-lsp--close t)
    (llm-lsp--hide)
    (llm-lsp--edit-hide)
    (llm-lsp--close))))

(provide 'llm-lsp)
;;; llm-lsp.el ends here
